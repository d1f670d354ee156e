/** How values are written: for the reference and for sluice.toml(5). */
export const VALUE_FORMS = [
  'Durations are strings of a whole number and a unit: `"250ms"`, `"5s"`, `"1m"`, `"1h"`, `"1d"`.',
  'Sizes are strings too: `"16B"`, `"64KiB"`, `"1MiB"`, `"1GiB"`. Bare numbers are refused for both.',
  'NAME stands for a name of your own: 1 to 64 letters, digits, `_`, `-` and `.`, a letter or digit first.',
  'Bytes (`send`, `expect`) are text with the escapes `\\\\`, `\\0`, `\\n`, `\\r`, `\\t` and `\\xHH`, or `hex:`\n  and pairs of digits. Write them in single quotes, which TOML leaves alone.',
  'A pool that no listener uses is a warning of `sluice check`, not an error.',
] as const;
