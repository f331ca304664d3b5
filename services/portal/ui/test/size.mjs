/** Prints what a first visit loads, compressed as the portal does it: everything but what only films, German or /design need. */

import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const dist = new URL('../dist/', import.meta.url)
const html = readFileSync(new URL('index.html', dist), 'utf8')
const seen = new Map()

function add(name) {
  if (seen.has(name)) return
  const content = readFileSync(new URL(name, dist))
  seen.set(name, gzipSync(content, { level: 9 }).length)
  if (!name.endsWith('.js')) return
  for (const [, imported] of content.toString().matchAll(/(?:import|from)\s*["']\.\/([\w.-]+\.js)["']/g))
    add('assets/' + imported)
}

add('index.html')
for (const [, name] of html.matchAll(/(?:src|href)="\/([^"]+)"/g)) add(name)
const total = [...seen.values()].reduce((sum, size) => sum + size, 0)
for (const [name, size] of seen) console.log(String(size).padStart(8), name)
console.log(`ui.first_load_kb ${(total / 1000).toFixed(1)} kB`)
if (total > 150_000) {
  console.error('a first visit loads more than 150 kB')
  process.exitCode = 1
}
