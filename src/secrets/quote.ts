/**
 * Quoting what a backend said. The quotation stays whole and marked until the result leaves its
 * probe (health/probes/publish.ts): code that cut or changed it before would hide half of a secret
 * from the redactor.
 */

/**
 * Private use characters of Unicode, taken out of what is quoted, so that they cannot be forged.
 */
const OPEN = '\ue000';
const CLOSE = '\ue001';

/** More than any message has; beyond it nothing is looked at. */
const MAX_QUOTED = 2_048;
/** Longer than what a redactor recognises of a secret. */
const CUT_TAIL = 8;
const PRINTED_CHARACTERS = 160;

/** What a backend said, as part of a sentence of ours. */
export function quoted(said: Uint8Array | string): string {
  const text = typeof said === 'string' ? said : Buffer.from(said).toString('latin1');
  return `${OPEN}${text.slice(0, MAX_QUOTED).replace(/[\ue000\ue001]/g, '.')}${CLOSE}`;
}

/** `text` with each quotation first as `hide` wants it, and then fit for a log line. */
export function unquoteEach(text: string, hide: (quotation: string) => string): string {
  return text.replace(/\ue000([^\ue001]*)\ue001/g, (_, said: string) => {
    const shown = hide(said);
    // Where the text was cut, the beginning of something hidden may stand, too short to be known.
    return printable(said.length < MAX_QUOTED ? shown : `${shown.slice(0, -CUT_TAIL)}…`);
  });
}

/** Control characters shown as dots, and not too long. */
export function printable(text: string): string {
  const cut = text.slice(0, PRINTED_CHARACTERS).replace(/[^\x20-\x7e\u00a1-\uffff]/g, '.');
  return text.length > PRINTED_CHARACTERS ? `${cut}…` : cut;
}
