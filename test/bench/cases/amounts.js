const KIBIBYTE = 1024
const MEBIBYTE = 1024 * KIBIBYTE
const GIBIBYTE = 1024 * MEBIBYTE

/** How much is moved: for real, and only to see that the benchmark works. */
const amounts = {
  one: { label: '1 × 1 GiB', layers: { count: 1, size: GIBIBYTE }, quick: { count: 1, size: 40 * MEBIBYTE } },
  ten: { label: '10 × 100 MiB', layers: { count: 10, size: 100 * MEBIBYTE }, quick: { count: 10, size: MEBIBYTE } },
  many: { label: '500 × 10 KiB', layers: { count: 500, size: 10 * KIBIBYTE }, quick: { count: 20, size: KIBIBYTE } },
}

/** @param {keyof typeof amounts} name */
export function labelOf(name) {
  return amounts[name].label
}

/** @param {keyof typeof amounts} name @param {boolean} quick */
export function layersOf(name, quick) {
  return quick ? amounts[name].quick : amounts[name].layers
}
