/** A number from a text, the same on every device (FNV-1a). */
export function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}

/** The hue, in degrees, that a title has where it has no picture. */
export const hueOf = (text: string) => hash(text) % 360

/** Two colours without their lightness, which the theme chooses so that text on them stays legible. */
export interface Tint {
  /** In degrees. */
  hue: number
  /** Of a second colour, the same hue or so where there is none. */
  other: number
  /** Of both: 0 is grey. */
  chroma: number
}

export const tintOf = (text: string): Tint => ({ hue: hueOf(text), other: (hueOf(text) + 40) % 360, chroma: 0.08 })

const bins = 18 // of 20 degrees

/**
 * Finds the two prevailing colours of a picture of this page's own origin, by how much of it has them and how vivid
 * they are. Null: it could not be read.
 */
export function tintOfImage(image: HTMLImageElement): Tint | null {
  const pixels = read(image, 32)
  if (!pixels) return null
  const weights = new Float64Array(bins)
  let [chroma, total] = [0, 0]
  for (let i = 0; i < pixels.length; i += 4) {
    const { a, b } = oklab(pixels[i]!, pixels[i + 1]!, pixels[i + 2]!)
    const vivid = Math.hypot(a, b)
    const hue = ((Math.atan2(b, a) * 180) / Math.PI + 360) % 360
    weights[Math.floor(hue / 20) % bins]! += vivid
    chroma += vivid * vivid
    total += vivid
  }
  if (total < pixels.length / 400) return { hue: 260, other: 260, chroma: 0.012 } // black and white
  const near = (bin: number) => weights[bin]! + (weights[(bin + 1) % bins]! + weights[(bin + bins - 1) % bins]!) / 2
  const order = [...weights.keys()].sort((one, two) => near(two) - near(one))
  const main = order[0]!
  const far = order.find((bin) => Math.min((bin - main + bins) % bins, (main - bin + bins) % bins) > 2)!
  const other = near(far) > near(main) * 0.3 ? far : main + 1
  return { hue: main * 20 + 10, other: (other * 20 + 10) % 360, chroma: Math.max(0.03, Math.min(0.12, chroma / total)) }
}

function read(image: HTMLImageElement, side: number): Uint8ClampedArray | null {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = side
  const context = canvas.getContext('2d', { willReadFrequently: true })
  try {
    context?.drawImage(image, 0, 0, side, side)
    return context?.getImageData(0, 0, side, side).data ?? null
  } catch {
    return null
  }
}

/** Björn Ottosson's OKLab, of an sRGB pixel; only the two axes of colour. */
function oklab(r8: number, g8: number, b8: number): { a: number; b: number } {
  const linear = (c: number) => (c <= 10 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4)
  const [r, g, b] = [linear(r8), linear(g8), linear(b8)]
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
  return {
    a: 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    b: 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  }
}
