import { runtimeLimits } from '../limits.js';

/** Bounds of a link. Both ends have the same: the receiver refuses what the sender may not send. */
export interface LinkLimits {
  /** Unacknowledged bytes beyond which there is no room. */
  readonly bufferBytesMax: number;
  /** Unacknowledged datagrams beyond which there is no room, and none is sent. */
  readonly windowDatagramsMax: number;
  /** Datagrams on their way however many were lost. */
  readonly windowDatagramsMin: number;
  /** Bytes of a frame. */
  readonly frameBytesMax: number;
  /** Frames taken without room. */
  readonly framesBeyondRoomMax: number;
  /** Datagrams and bytes after which the receiver acknowledges. */
  readonly ackDatagrams: number;
  readonly ackBytes: number;
  /** Time an acknowledgement waits for data to travel with, ms. */
  readonly ackDelayMs: number;
  /** Time without progress before the first probe, ms. */
  readonly probeMs: number;
  /** Longest time between two probes, ms. */
  readonly probeMsMax: number;
  /** Time without progress after which the link fails, ms. */
  readonly stallMs: number;
  /** Lateness of a timer from which on the process counts as having been stopped, ms. */
  readonly sleepMs: number;
}

export const defaultLinkLimits: LinkLimits = {
  bufferBytesMax: runtimeLimits.linkBufferBytesMax,
  windowDatagramsMax: runtimeLimits.linkWindowDatagramsMax,
  windowDatagramsMin: runtimeLimits.linkWindowDatagramsMin,
  frameBytesMax: runtimeLimits.linkFrameBytesMax,
  framesBeyondRoomMax: runtimeLimits.linkFramesBeyondRoomMax,
  ackDatagrams: runtimeLimits.linkAckDatagrams,
  ackBytes: runtimeLimits.linkAckBytes,
  ackDelayMs: runtimeLimits.linkAckDelayMs,
  probeMs: runtimeLimits.linkProbeMs,
  probeMsMax: runtimeLimits.linkProbeMsMax,
  stallMs: runtimeLimits.linkStallMs,
  sleepMs: runtimeLimits.linkSleepMs,
};
