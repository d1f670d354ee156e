/** Words of DNS that a file may hold and that the probe translates. */

/** Query types that can be asked for, by name: RFC 1035, section 3.2.2, RFC 3596 and RFC 2782. */
export const DNS_TYPES = {
  A: 1,
  AAAA: 28,
  NS: 2,
  SOA: 6,
  TXT: 16,
  MX: 15,
  SRV: 33,
  PTR: 12,
} as const;

export type DnsType = keyof typeof DNS_TYPES;

/** Response codes by number: RFC 1035, section 4.1.1, and RFC 2136, section 2.2. */
export const DNS_RCODES = [
  'NOERROR',
  'FORMERR',
  'SERVFAIL',
  'NXDOMAIN',
  'NOTIMP',
  'REFUSED',
  'YXDOMAIN',
  'YXRRSET',
  'NXRRSET',
  'NOTAUTH',
  'NOTZONE',
] as const;
