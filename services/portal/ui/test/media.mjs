/** Real media for the tests, made once by ffmpeg: three songs of 30 s and a film of 60 s, whole and as HLS. */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const dir = fileURLToPath(new URL('../node_modules/.cache/manofwar-media/', import.meta.url))

/** Makes the media if they are not there, and returns their folder. */
export function media() {
  const done = join(dir, 'v1')
  if (existsSync(done)) return done
  const work = join(dir, 'making')
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { recursive: true })
  const ffmpeg = (...args) =>
    execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args], {
      cwd: work,
      stdio: ['ignore', 'inherit', 'inherit'],
    })
  const tone = (hz) => ['-f', 'lavfi', '-i', `sine=frequency=${hz}:duration=30:sample_rate=44100`]
  ffmpeg(...tone(220), 'song0.mp3')
  ffmpeg(...tone(330), 'song1.flac')
  ffmpeg(...tone(440), '-movflags', '+faststart', 'song2.m4a')
  ffmpeg(
    '-f',
    'lavfi',
    '-i',
    'testsrc2=size=640x360:rate=24:duration=60',
    '-f',
    'lavfi',
    '-i',
    'sine=frequency=330:duration=60',
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-pix_fmt',
    'yuv420p',
    '-g',
    '48',
    '-c:a',
    'aac',
    '-movflags',
    '+faststart',
    'film.mp4',
  )
  mkdirSync(join(work, 'hls'))
  ffmpeg(
    '-i',
    'film.mp4',
    '-c',
    'copy',
    '-f',
    'hls',
    '-hls_time',
    '4',
    '-hls_playlist_type',
    'vod',
    '-hls_segment_type',
    'fmp4',
    '-hls_segment_filename',
    'hls/%d.m4s',
    'hls/index.m3u8',
  )
  renameSync(work, done)
  return done
}
