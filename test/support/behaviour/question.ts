/** What a client in a proxy's network is asked to do. */

/** To this, and to no byte before it, the servers answer `I am NAME`. */
export const WHO = 'WHO\n';

export type Question =
  | {
      readonly kind: 'tcp';
      readonly id: number;
      readonly host: string;
      readonly port: number;
      /** Of a UNIX socket; null: host and port count. */
      readonly path: string | null;
      /** The source address; null: the kernel's choice. */
      readonly from: string | null;
      /** Sent before it asks for the name; base64. */
      readonly begin: string;
      readonly tls: boolean;
      /** The session stays open until it is released. */
      readonly hold: boolean;
    }
  | {
      readonly kind: 'udp';
      readonly id: number;
      readonly host: string;
      readonly port: number;
      readonly from: string | null;
    }
  | { readonly kind: 'release'; readonly id: number; readonly of: number };

export interface Reply {
  readonly id: number;
  /** The server that answered; null: none. */
  readonly name: string | null;
}
