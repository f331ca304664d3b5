/** A number from a text, the same on every device (FNV-1a). */
export function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}

/** The hue, in degrees, that a title has where it has no picture. */
export const hueOf = (text: string) => hash(text) % 360

/** A colour without its lightness, which the theme chooses so that text on it stays legible. */
export interface Tint {
  hue: number
  chroma: number
}

export const tintOf = (text: string): Tint => ({ hue: hueOf(text), chroma: 0.09 })

/**
 * Finds the prevailing colour of a picture of this page's own origin: the mean of its pixels, weighed by how vivid
 * each is. Null: it has none, or could not be read.
 */
export function tintOfImage(image: HTMLImageElement): Tint | null {
  const side = 24
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = side
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (!context) return null
  let pixels: Uint8ClampedArray
  try {
    context.drawImage(image, 0, 0, side, side)
    pixels = context.getImageData(0, 0, side, side).data
  } catch {
    return null
  }
  let [a, b, weight] = [0, 0, 0]
  for (let i = 0; i < pixels.length; i += 4) {
    const lab = oklab(pixels[i]!, pixels[i + 1]!, pixels[i + 2]!)
    const vivid = Math.hypot(lab.a, lab.b)
    a += lab.a * vivid
    b += lab.b * vivid
    weight += vivid
  }
  if (weight < 1) return { hue: 260, chroma: 0.01 }
  ;[a, b] = [a / weight, b / weight]
  return { hue: ((Math.atan2(b, a) * 180) / Math.PI + 360) % 360, chroma: Math.min(0.13, Math.hypot(a, b)) }
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
