/**
 * Runs the page's tests against a real "manofwar serve" and a small library: build/manofwar, or the program that
 * MANOFWAR names.
 */

import { execFileSync, spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { media } from './media.mjs'

const program = process.env.MANOFWAR ?? fileURLToPath(new URL('../../../../build/manofwar', import.meta.url))
if (!existsSync(program)) {
  console.error(`${program} is not there: "make build" makes it.`)
  process.exit(1)
}

const work = mkdtempSync(join(tmpdir(), 'manofwar-ui-'))
const port = await freePort()
const base = `http://127.0.0.1:${port}`
const server = spawn(
  program,
  [
    'serve',
    ...['--listen', `127.0.0.1:${port}`],
    ...(process.platform === 'linux' ? ['--player', 'silent'] : []),
    ...['--state', join(work, 'state')],
    library(join(work, 'library')),
  ],
  { stdio: ['ignore', 'ignore', 'inherit'] },
)
try {
  await ready()
  process.exitCode = await new Promise((resolve) => {
    const tests = ['library', 'music', 'films', 'remote', 'device', 'network', 'page'].map((name) =>
      fileURLToPath(new URL(`${name}.test.mjs`, import.meta.url)),
    )
    spawn(process.execPath, ['--test', '--test-concurrency=1', '--test-timeout=300000', ...tests], {
      stdio: 'inherit',
      env: { ...process.env, BASE_URL: base },
    }).on('exit', resolve)
  })
} finally {
  const ended = new Promise((resolve) => server.on('exit', resolve))
  server.kill('SIGTERM')
  await ended
  rmSync(work, { recursive: true, force: true })
}

/** Fills a folder with an album with a cover and a film. */
function library(dir) {
  const [from, album, films] = [media(), join(dir, 'Mara Lind', 'Harbour Lights'), join(dir, 'Films')]
  for (const each of [album, films]) mkdirSync(each, { recursive: true })
  const tags = (title, track) =>
    Object.entries({ title, track, artist: 'Mara Lind', album: 'Harbour Lights', date: 2019 }).flatMap(
      ([key, value]) => ['-metadata', `${key}=${value}`],
    )
  const ffmpeg = (...args) => execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args])
  const picture = join(dir, 'Mara Lind', 'picture.png')
  ffmpeg(
    '-f',
    'lavfi',
    '-i',
    'gradients=s=600x600:c0=0x0b3954:c1=0xff6663:nb_colors=2:seed=3',
    '-frames:v',
    '1',
    picture,
  )
  ffmpeg(
    '-i',
    join(from, 'song0.mp3'),
    '-i',
    picture,
    '-map',
    '0',
    '-map',
    '1',
    '-c',
    'copy',
    '-id3v2_version',
    '3',
    ...tags('Low Tide', 1),
    '-disposition:v',
    'attached_pic',
    join(album, '1.mp3'),
  )
  ffmpeg('-i', join(from, 'song1.flac'), '-c', 'copy', ...tags('Mooring', 2), join(album, '2.flac'))
  ffmpeg('-i', join(from, 'song2.m4a'), '-c', 'copy', ...tags('Slack Water', 3), join(album, '3.m4a'))
  rmSync(picture)
  copyFileSync(join(from, 'film.mp4'), join(films, 'The Lighthouse Keeper (2019).mp4'))
  return dir
}

/** Waits until the server has found the library. */
async function ready() {
  for (const end = Date.now() + 30_000; Date.now() < end;) {
    try {
      const { library } = await (await fetch(base + '/api/v1/status')).json()
      if (library?.music === 3 && library.films === 1 && !library.scan.running) return
    } catch {
      // It is still starting.
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('manofwar serve did not find its library in 30 seconds')
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}
