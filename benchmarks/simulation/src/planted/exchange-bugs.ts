import type { PlantedBug } from './planted-bug.js';

const gate = 'runtime/engine/input-gate';
const combiner = 'runtime/engine/watermark-combiner';
const capture = 'runtime/engine/channel-capture';

/** Barriers, watermarks, and what waits in channels. */
export const channelBugs: readonly PlantedBug[] = [
  {
    name: 'snapshot before all barriers have arrived',
    edits: [
      {
        module: gate,
        find: "if (mode === 'unaligned' || this.isOld(checkpoint))",
        replace: "if (mode === 'unaligned' || checkpoint <= this.newest)",
      },
      {
        module: gate,
        find: 'if (this.blocked + this.closed < this.channels.length)',
        replace: 'if (this.channels.length === 0)',
      },
    ],
  },
  {
    name: 'channels are read on behind their barriers',
    edits: [
      {
        module: gate,
        find: 'this.blocked += 1;',
        replace: 'this.blocked += 1; this.isBlocked[index] = false;',
      },
    ],
  },
  {
    name: 'barrier sent ahead of the open batch',
    edits: [
      {
        module: 'runtime/engine/output-port',
        find: 'sendControl(element) {',
        replace:
          "sendControl(element) { if (element.kind === 'barrier') { this.routes.forEach((route) => route.sendControl(element)); return; }",
      },
    ],
  },
  {
    name: 'barrier sent ahead of what is gathered for a subtask',
    edits: [
      {
        module: 'runtime/engine/scatter-route',
        find: 'if (waits && share.open.count > 0)',
        replace:
          "if (element.kind === 'barrier') share.channel.sendControl(element); else if (waits && share.open.count > 0)",
      },
    ],
  },
  {
    name: 'local phase not flushed at barriers',
    edits: [
      {
        module: 'operators/window/aligned-local',
        find: 'onBarrier(out) {',
        replace: "onBarrier(out) { return 'done';",
      },
      {
        module: 'operators/window/session-local',
        find: 'onBarrier(out) {',
        replace: "onBarrier(out) { return 'done';",
      },
    ],
  },
  {
    name: 'watermark is the highest of the inputs',
    edits: [
      {
        module: combiner,
        find: 'else if (this.marks[i] < lowest)',
        replace: 'else if (this.marks[i] > lowest || lowest === Infinity)',
      },
    ],
  },
  {
    name: 'idle input holds the watermark',
    edits: [{ module: combiner, find: 'this.isIdle[input] = true;', replace: '' }],
  },
  {
    name: 'unaligned: channel state forgotten',
    edits: [
      {
        module: gate,
        find: 'channel.restore(elements);',
        replace: '',
      },
    ],
  },
  {
    name: 'unaligned: channel state replayed twice',
    edits: [
      {
        module: gate,
        find: 'channel.restore(elements);',
        replace: 'channel.restore([...elements, ...elements]);',
      },
    ],
  },
  {
    name: 'unaligned: what arrives until the barrier is not noted',
    edits: [
      {
        module: capture,
        find: 'at.receiver.record((element) => this.note(index, element));',
        replace: ';',
      },
    ],
  },
  {
    name: 'unaligned: what waits behind the barrier is noted, too',
    edits: [
      {
        module: capture,
        find: 'if (isOwnBarrier(element, this.barrier))',
        replace: 'if (false)',
      },
    ],
  },
  {
    name: 'credit counted twice',
    edits: [
      {
        module: 'runtime/exchange/remote-receiver',
        find: 'this.takenBytes += creditOf(next);',
        replace: 'this.takenBytes += 2 * creditOf(next);',
      },
    ],
  },
  {
    name: 'credit not given back',
    edits: [
      {
        module: 'runtime/exchange/remote-sender',
        find: 'if (takenBytes < 0 || takenBytes > this.takenBytes)',
        replace: 'if (takenBytes < 0)',
      },
    ],
  },
];

/** Links over a network that loses. */
export const linkBugs: readonly PlantedBug[] = [
  {
    name: 'link delivers what comes after a gap',
    edits: [
      {
        module: 'runtime/link/link-receiver',
        find: 'if (sequence === this.receivedUpTo + 1)',
        replace: 'if (sequence > this.receivedUpTo)',
      },
    ],
  },
  {
    name: 'link delivers what it has had before',
    edits: [
      {
        module: 'runtime/link/link-receiver',
        find: 'this.counts.duplicates += 1;',
        replace:
          'this.counts.duplicates += 1; return header.restBytes === 0 ? payload : undefined;',
      },
    ],
  },
  {
    name: 'link accepts frames of another attempt',
    edits: [
      {
        module: 'runtime/link/datagram-codec',
        find: 'return low === this.attemptLow && high === this.attemptHigh;',
        replace: 'return true;',
      },
    ],
  },
  {
    name: 'link accepts damaged datagrams',
    edits: [
      {
        module: 'runtime/link/datagram-codec',
        find: 'return this.checksum(rest) === crc;',
        replace: 'return true;',
      },
    ],
  },
  {
    name: 'link forgets a lost tail',
    edits: [
      {
        module: 'runtime/link/link-sender',
        find: 'if (upTo <= this.acknowledgedUpTo)',
        replace: 'upTo = this.sentUpTo; if (upTo <= this.acknowledgedUpTo)',
      },
    ],
  },
];
