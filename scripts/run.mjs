// node scripts/run.mjs FILE [ARG …]: makes the checkout ready, then runs a built program of it.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { bootstrap, root } from './bootstrap.mjs';

bootstrap();
const [file, ...args] = process.argv.slice(2);
const child = spawn(process.execPath, ['--enable-source-maps', join(root, file), ...args], {
  stdio: 'inherit',
});
// The child decides what a signal means; this process only waits for it. A terminal sends SIGINT to
// both, so that one is not handed on.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
});
