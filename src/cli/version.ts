/** Filled in by the build from package.json. */
declare const GANTRY_VERSION: string | undefined

/** The version of gantry; `development` when it runs from its sources. */
export const VERSION: string = typeof GANTRY_VERSION === 'undefined' ? 'development' : GANTRY_VERSION
