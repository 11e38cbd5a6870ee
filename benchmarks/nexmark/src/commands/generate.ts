import { type GeneratorOptions, generate } from '../generator/generator.js';
import { writeLines } from '../ndjson-file.js';

/** `generate`: writes events to a file. */
export async function generateCommand(options: GeneratorOptions, output: string): Promise<void> {
  await writeLines(output, generate(options));
  console.log(`${options.events} events written to ${output}`);
}
