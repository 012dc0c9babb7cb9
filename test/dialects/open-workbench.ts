import { onTestFinished } from 'vitest'
import type { EmulatorOptions } from '../emulator/emulator-options.js'
import type { ProfileName } from '../emulator/profiles/profile.js'
import { PROFILES } from '../emulator/profiles/profiles.js'
import { Workbench } from './workbench.js'

/** Opens a workbench for the running test, with some switches of the profile changed. */
export async function openWorkbench(
  name: ProfileName,
  change: (options: EmulatorOptions) => EmulatorOptions = () => ({}),
): Promise<Workbench> {
  const bench = await Workbench.open(PROFILES[name], change(PROFILES[name].options))
  onTestFinished(() => bench.close())
  return bench
}
