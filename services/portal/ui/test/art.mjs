/** Draws covers and posters for the tests' library: SVG, the same for the same seed. */

const palettes = [
  ['#0b2545', '#13315c', '#8da9c4', '#eef4ed', '#ff7f50'],
  ['#2d1e2f', '#7b3e5c', '#e08e79', '#f1d4af', '#ecbe7b'],
  ['#0f2027', '#1f4e5f', '#79a8a9', '#f4f7f7', '#ffb400'],
  ['#3a0d3f', '#7a1e5a', '#d1495b', '#edae49', '#fff3d6'],
  ['#14213d', '#274690', '#576ca8', '#f5f3f5', '#fca311'],
  ['#132a13', '#31572c', '#90a955', '#ecf39e', '#f2a65a'],
  ['#1b1b3a', '#693668', '#a74482', '#f84aa7', '#ffd5c2'],
  ['#241a12', '#6b4226', '#c08552', '#f3e9dc', '#5e8c8a'],
]

/** A generator of numbers from 0 to 1 (mulberry32). */
export function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const styles = [hills, rings, tiles, waves, orb]

export function cover(seed, height = 600) {
  const next = random(seed * 7919 + 13)
  const colours = palettes[Math.floor(next() * palettes.length)]
  const draw = styles[seed % styles.length]
  const body = draw(next, colours, height)
  return `<svg xmlns="http://www.w3.org/2000/svg" width="600" height="${height}" viewBox="0 0 600 ${height}">${body}</svg>`
}

/** A film's poster: a wide landscape with its title. */
export function poster(seed, title) {
  const next = random(seed * 104729 + 7)
  const colours = palettes[Math.floor(next() * palettes.length)]
  const words = title.toUpperCase().split(' ')
  const lines = words.map(
    (word, i) =>
      `<text x="300" y="${130 + i * 74}" font-family="Noto Sans, sans-serif" font-weight="800" font-size="${Math.min(64, 620 / Math.max(6, word.length))}" letter-spacing="6" text-anchor="middle" fill="${colours[3]}">${word}</text>`,
  )
  const scene = [hills, waves, orb][seed % 3](next, colours, 900)
  return `<svg xmlns="http://www.w3.org/2000/svg" width="600" height="900" viewBox="0 0 600 900">${scene}${lines.join('')}</svg>`
}

function sky(colours, height, from = 0, to = 2) {
  return `<defs><linearGradient id="s" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${colours[from]}"/><stop offset="1" stop-color="${colours[to]}"/></linearGradient></defs><rect width="600" height="${height}" fill="url(#s)"/>`
}

function hills(next, c, h) {
  let out =
    sky(c, h, 1, 4) +
    `<circle cx="${150 + next() * 300}" cy="${h * (0.3 + next() * 0.15)}" r="${50 + next() * 60}" fill="${c[3]}" opacity=".95"/>`
  const shades = [c[2], c[1], c[0]]
  shades.forEach((shade, i) => {
    let [d, y] = ['', h * (0.55 + i * 0.14)]
    const step = 600 / 6
    d = `M0 ${h}V${y}`
    for (let k = 0; k < 6; k++) {
      const [y1, y2] = [y - next() * h * 0.12, y + (next() - 0.4) * h * 0.1]
      d += `C${k * step + step * 0.35} ${y1} ${k * step + step * 0.65} ${y1} ${(k + 1) * step} ${y2}`
    }
    out += `<path d="${d}V${h}Z" fill="${shade}"/>`
  })
  return out
}

function rings(next, c, h) {
  const [x, y] = [180 + next() * 240, h * (0.35 + next() * 0.3)]
  let out = `<rect width="600" height="${h}" fill="${c[0]}"/>`
  for (let i = 9; i > 0; i--)
    out += `<circle cx="${x}" cy="${y}" r="${i * 52}" fill="${c[1 + (i % 4)]}" opacity="${0.25 + (9 - i) * 0.085}"/>`
  return out
}

function tiles(next, c, h) {
  let out = `<rect width="600" height="${h}" fill="${c[0]}"/>`
  const n = 4
  const s = 600 / n
  for (let i = 0; i < n; i++) {
    for (let j = 0; j * s < h; j++) {
      const [x, y, a, b] = [i * s, j * s, c[Math.floor(next() * 5)], c[Math.floor(next() * 5)]]
      out += `<rect x="${x}" y="${y}" width="${s}" height="${s}" fill="${a}"/>`
      const kind = Math.floor(next() * 4)
      if (kind === 0) out += `<circle cx="${x + s / 2}" cy="${y + s / 2}" r="${s / 2}" fill="${b}"/>`
      if (kind === 1) out += `<path d="M${x} ${y}a${s} ${s} 0 0 1 ${s} ${s}h-${s}z" fill="${b}"/>`
      if (kind === 2) out += `<path d="M${x + s} ${y}a${s} ${s} 0 0 0 -${s} ${s}h${s}z" fill="${b}"/>`
    }
  }
  return out
}

function waves(next, c, h) {
  let out = sky(c, h, 0, 1) + `<circle cx="${120 + next() * 360}" cy="${h * 0.34}" r="${h * 0.13}" fill="${c[4]}"/>`
  for (let i = 0; i < 7; i++) {
    const y = h * (0.42 + i * 0.085)
    const a = 18 + next() * 26
    const p = next() * 200
    let d = `M${-200 + p} ${y}`
    for (let k = 0; k < 6; k++) d += `q50 ${-a} 100 0t100 0`
    out += `<path d="${d}V${h + 50}H-200Z" fill="${c[i % 2 ? 2 : 1]}" opacity="${0.35 + i * 0.09}"/>`
  }
  return out
}

function orb(next, c, h) {
  const [x, y] = [300, h * 0.46]
  let out = `<defs><radialGradient id="o" cx=".35" cy=".3" r=".8"><stop offset="0" stop-color="${c[3]}"/><stop offset=".45" stop-color="${c[4]}"/><stop offset="1" stop-color="${c[1]}"/></radialGradient></defs><rect width="600" height="${h}" fill="${c[0]}"/>`
  for (let i = 0; i < 40; i++)
    out += `<circle cx="${next() * 600}" cy="${next() * h}" r="${next() * 2.4}" fill="${c[3]}" opacity="${next()}"/>`
  out += `<circle cx="${x}" cy="${y}" r="150" fill="url(#o)"/><ellipse cx="${x}" cy="${y}" rx="250" ry="${40 + next() * 30}" fill="none" stroke="${c[2]}" stroke-width="7" opacity=".75" transform="rotate(${-25 + next() * 20} ${x} ${y})"/>`
  return out
}
