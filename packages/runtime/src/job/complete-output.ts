import type { BuiltJob } from '@millrace/core';
import type { Env, Sink } from '@millrace/core/spi';
import { closeAll } from '../engine/close-all.js';
import { type SinkCheckpointsParts, sinkCheckpoints } from '../engine/sink-checkpoints.js';
import { OperatorMetrics } from '../metrics/operator-metrics.js';

/**
 * Publishes what a finished job's sinks had prepared: the process may have ended between the final
 * commit and that.
 */
export async function completeOutput(
  { graph, functions }: BuiltJob,
  env: Env,
  checkpoints: SinkCheckpointsParts,
): Promise<void> {
  for (const { id, kind } of graph.nodes) {
    if (kind !== 'sink') continue;
    const own = sinkCheckpoints(checkpoints, id, 0);
    // Its output is complete; opening a writer would empty a file, or fail without a server.
    if ((own.restored?.prepared ?? []).length === 0) continue;
    const writer = (functions.nodes.get(id) as Sink<unknown>).createWriter({
      operatorId: id,
      subtask: 0,
      parallelism: 1,
      env,
      metrics: new OperatorMetrics(id),
      log: env.log,
      job: graph.job,
      ...own,
    });
    try {
      await writer.open?.();
    } finally {
      await closeAll([async () => writer.close?.()]);
    }
  }
}
