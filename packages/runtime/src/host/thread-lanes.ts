import type { MessagePort } from 'node:worker_threads';
import type { Lane } from '../exchange/lane.js';
import type { OpenLane } from '../exchange/slot-exchange.js';

/** Lanes between threads: buffers change owners, nothing is copied. */
export function threadLanes(ports: ReadonlyMap<number, MessagePort>): OpenLane {
  return (slot, listener): Lane => {
    const port = ports.get(slot)!;
    port.on('message', (frame: Uint8Array) => listener.onFrame(frame));
    return {
      hasRoom: true,
      send: (frame) => port.postMessage(frame, [frame.buffer]),
      close: () => port.close(),
    };
  };
}
