/**
 * What two processes say to each other at an upgrade. They may be of different versions, with
 * different shared memory: all of it is plain, what is not known is ignored, and what is missing is
 * not taken over.
 */
import type { ChannelMessage } from '../../system/line_channel.js';

/** Of what `begin` and `go` carry. A process that reads another one takes the sockets alone. */
export const FORMAT = 1;

/** From the process that serves, at once: what does not change until `go`. */
export interface Begin {
  /** By the number of the descriptor: what each is for. */
  readonly names: readonly string[];
  /** As in the file of overrides. */
  readonly overrides: string;
  /** As in the file of members. */
  readonly members: string;
}

export function beginMessage(begin: Begin): ChannelMessage {
  return { kind: 'begin', format: FORMAT, ...begin };
}

/** null: it cannot be read. */
export function readBegin(message: ChannelMessage): Begin | null {
  const { format, names, overrides, members } = message;
  if (format !== FORMAT || !Array.isArray(names) || !names.every(isText)) return null;
  if (!isText(overrides) || !isText(members)) return null;
  return { names, overrides, members };
}

export function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** Of `failed`: why the new process cannot serve. */
/** What the new process has and does not use, by name; nothing where it does not say it. */
export function unaskedOf({ unasked }: ChannelMessage): readonly string[] {
  return Array.isArray(unasked) ? unasked.map(String) : [];
}

export function detailOf(message: ChannelMessage): string {
  const { detail } = message;
  return isText(detail) ? detail : 'it does not say why';
}
