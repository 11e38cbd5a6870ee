/**
 * Runs all of the actions, whichever of them fail, and then throws what the first failure was: one
 * part that cannot be closed must not keep the others open.
 */
export async function closeAll(
  actions: readonly (() => void | Promise<void> | undefined)[],
): Promise<void> {
  const failures: unknown[] = [];
  for (const action of actions) {
    try {
      await action();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
