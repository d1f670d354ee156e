/** What dpkg is told about the package. */

export interface Facts {
  readonly version: string;
  /** Debian's word for the machine: amd64. */
  readonly machine: string;
  readonly runtime: 'bundled' | 'of Debian';
  readonly installedBytes: number;
  /** `Name <address>`. */
  readonly maintainer: string;
  /** In seconds since 1970. */
  readonly builtSeconds: number;
}

/** The oldest C and C++ libraries that the bundled Node.js runs with. */
const BUNDLED = 'libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 8)';
const OF_DEBIAN = 'libc6 (>= 2.28), libstdc++6 (>= 8), nodejs (>= 20.12)';

export function controlText(facts: Facts): string {
  const needs = facts.runtime === 'bundled' ? BUNDLED : OF_DEBIAN;
  return `Package: sluice
Version: ${facts.version}
Architecture: ${facts.machine}
Maintainer: ${facts.maintainer}
Installed-Size: ${Math.ceil(facts.installedBytes / 1024)}
Depends: ${needs}, systemd (>= 250)
Section: net
Priority: optional
Description: TCP and UDP load balancer that explains itself
 sluice stands in front of Postgres, Redis and any other TCP or UDP service.
 A reload loses no connection, limits are exact over all threads, probes know
 the roles of database servers, and every refusal has a reason.
${facts.runtime === 'bundled' ? ' .\n It brings a Node.js of its own.\n' : ''}`;
}

/** Debian's changelog; what has changed is told in CHANGELOG.md. */
export function changelogText(
  facts: Pick<Facts, 'version' | 'maintainer' | 'builtSeconds'>,
): string {
  const date = new Date(facts.builtSeconds * 1000).toUTCString().replace('GMT', '+0000');
  return `sluice (${facts.version}) unstable; urgency=medium

  * What has changed is in /usr/share/doc/sluice/CHANGELOG.md.gz.

 -- ${facts.maintainer}  ${date}
`;
}
