/** The entry of a thread that reads one configuration file, says what it found, and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { readConfig } from '../config/read_config.js';
import { systemTimers } from '../system/timers.js';

parentPort?.postMessage(await readConfig(String(workerData), systemTimers));
