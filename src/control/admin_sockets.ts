/** Descriptors of the listening sockets where a daemon is asked and operated. */
import type { SocketDescriptors } from '../admin/door.js';
import { descriptorOf } from '../engine/node/socket.js';
import { adoptDescriptor, closeDescriptor, duplicate } from '../kernel/descriptor.js';
import type { Kernel } from '../kernel/foreign.js';

/** Without foreign calls (`kernel` null) a socket has one descriptor, that of its server. */
export function socketDescriptors(kernel: Kernel | null): SocketDescriptors {
  return {
    of: descriptorOf,
    duplicate: (fd) => {
      const copy = kernel === null ? null : duplicate(kernel, adoptDescriptor(fd));
      return copy?.ok ? copy.value : null;
    },
    close: (fd) => {
      if (kernel !== null) closeDescriptor(kernel, adoptDescriptor(fd));
    },
  };
}
