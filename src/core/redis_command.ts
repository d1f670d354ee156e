/** What goes to Redis and its sentinels: a command as an array of bulk strings (RESP2). */
export function redisCommand(...words: readonly string[]): string {
  const bulks = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${bulks.join('')}`;
}
