/** The proxy's configuration, with the checks that need more than the file's own reader knows. */
import { parseNutcracker } from '../config/nutcracker.js';
import { type NutcrackerConfig, NutcrackerConfigError } from '../config/nutcracker-types.js';
import { userProblem } from './users.js';

/** @throws {NutcrackerConfigError} with everything that is wrong, each with its line and column. */
export function readProxyConfig(text: string, file: string): NutcrackerConfig {
  const config = parseNutcracker(text, file);
  const problems = config.pools.flatMap(({ users }) =>
    (users ?? []).flatMap((user) => {
      const message = userProblem(user);
      return message === null ? [] : [{ ...user.place, message }];
    }),
  );
  if (problems.length > 0) throw new NutcrackerConfigError(file, problems);
  return config;
}
