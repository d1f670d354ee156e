/**
 * Whether the kernel kept what it promises. When all TCP memory of a machine is used up
 * (net.ipv4.tcp_mem), Linux ends sockets that still have data to send: bytes are lost that no
 * program could have kept, and a program that ran meanwhile says nothing about us.
 */
import { readFileSync } from 'node:fs';

/** Connections that the kernel ended for want of memory since it runs (TcpExt of netstat). */
export function connectionsEndedForMemory(): number {
  const [names = [], values = []] = readFileSync('/proc/net/netstat', 'latin1')
    .split('\n')
    .filter((line) => line.startsWith('TcpExt:'))
    .map((line) => line.split(' '));
  return Number(values[names.indexOf('TCPAbortOnMemory')] ?? 0);
}
