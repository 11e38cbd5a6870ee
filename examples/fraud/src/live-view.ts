import {
  coloursFor,
  PROGRESS_EVERY_MS,
  renderAlert,
  renderProgress,
  renderScreen,
  type Snapshot,
} from './screen.js';
import type { Tally } from './tally.js';

const REDRAW_EVERY_MS = 200;

/** Where a view is shown: a terminal is redrawn, anything else gets a line now and then. */
export type ViewOutput = Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>;

/** Shows a tally while it grows. Returns what to call when there is nothing more to come. */
export function showLive(tally: Tally, output: ViewOutput, startedMs: number): () => void {
  const show = output.isTTY === true ? redraw(output) : print(output, tally);
  let before = { counted: 0, perSecond: 0, atMs: startedMs };
  const look = (): void => {
    const nowMs = performance.now();
    const { counted } = tally;
    const passedMs = Math.max(1, nowMs - before.atMs);
    // A restart goes back to what the last checkpoint has counted.
    const perSecond = (Math.max(0, counted - before.counted) / passedMs) * 1_000;
    // Over a second at least, or the number would flicker.
    if (passedMs >= PROGRESS_EVERY_MS) before = { counted, perSecond, atMs: nowMs };
    const steady = before.perSecond > 0 ? before.perSecond : perSecond;
    show(tally.snapshot(nowMs - startedMs, steady));
  };
  const timer = setInterval(look, REDRAW_EVERY_MS);
  return () => {
    clearInterval(timer);
    look();
  };
}

function redraw(output: ViewOutput): (snapshot: Snapshot) => void {
  const colours = coloursFor(output, process.env.NO_COLOR);
  let drawn = 0;
  return (snapshot) => {
    const lines = renderScreen(snapshot, { colours, columns: output.columns ?? 80 });
    const up = drawn === 0 ? '' : `\u001b[${drawn}A`;
    output.write(up + lines.map((line) => `\u001b[2K${line}\n`).join(''));
    drawn = lines.length;
  };
}

/** The first alert at once, then a line each second. */
function print(output: ViewOutput, tally: Tally): (snapshot: Snapshot) => void {
  let nextMs = PROGRESS_EVERY_MS;
  let hasAlert = false;
  return (snapshot) => {
    const alert = tally.firstAlert;
    if (alert !== undefined && !hasAlert) {
      hasAlert = true;
      output.write(`first alert  ${renderAlert(alert)}\n`);
    }
    if (snapshot.elapsedMs < nextMs) return;
    nextMs = snapshot.elapsedMs + PROGRESS_EVERY_MS;
    output.write(`${renderProgress(snapshot)}\n`);
  };
}
