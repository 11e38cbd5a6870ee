import { type GeneratorOptions, generate } from '../generator/generator.js';
import { writeEvents } from '../generator/write.js';

/** `generate`: writes events to a file. */
export async function generateCommand(options: GeneratorOptions, output: string): Promise<void> {
  await writeEvents(output, generate(options));
  console.log(`${options.events} events written to ${output}`);
}
