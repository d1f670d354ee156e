/**
 * Where the thread of a worker begins. It reads its modules in two parts, because Node.js opens all
 * files that it knows of at once: in one part they are more than a limit of 128 open files leaves
 * beside three workers that run.
 */
await import('../engine/create.js');
await import('./worker.js');

export {};
