import { ByteWriter } from '@millrace/core/internal';
import { stateLimits } from '../limits.js';

const bufferBytes = stateLimits.segmentChunkBytes + stateLimits.segmentChunkSlackBytes;

/**
 * Memory for chunks of segments, used again for the next segment: the first touch of fresh memory
 * costs more than encoding into it.
 */
export class ChunkBuffers {
  private readonly free: Uint8Array<ArrayBuffer>[] = [];

  /** An empty buffer with room for a chunk. */
  take(): ByteWriter {
    const writer = new ByteWriter();
    const bytes = this.free.pop();
    if (bytes === undefined) writer.ensure(bufferBytes);
    else {
      writer.bytes = bytes;
      writer.view = new DataView(bytes.buffer);
    }
    return writer;
  }

  /** The chunk has been written: nobody looks at it any more. */
  give({ buffer }: Uint8Array): void {
    const isOwn = buffer instanceof ArrayBuffer && buffer.byteLength === bufferBytes;
    if (!isOwn || this.free.length >= stateLimits.chunkBuffersMax) return;
    this.free.push(new Uint8Array(buffer));
  }
}
