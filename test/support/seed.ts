/** The seed of a randomised test: from SEED= or from the system; the test prints it in its name. */
export const seed: number = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
