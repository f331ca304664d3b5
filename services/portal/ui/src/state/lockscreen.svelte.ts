import { coverURL } from '../api/client'
import { names } from '../i18n/format'
import { titleOf } from '../lib/words'
import { player } from './player.svelte'
import { settings } from './settings.svelte'

/*
 * The media keys, the headset's button and the lock screen. A browser gives them to a page that makes a sound: while
 * this page plays they are there by themselves. For what plays elsewhere they are there on a keyboard, as far as the
 * browser lets them be; on a lock screen only while the page plays something itself, which is silence, and only if the
 * person wants that.
 */

/** Keeps the keys and the lock screen to what plays. App's effect; the returned function lets go. */
export function showOnLockScreen(): (() => void) | void {
  if (!('mediaSession' in navigator) || (player.local && player.film)) return // a film has its own keys
  const { item } = player
  const session = navigator.mediaSession
  if (!item) {
    session.metadata = null
    session.playbackState = 'none'
    return
  }
  session.metadata = new MediaMetadata({
    title: titleOf(item),
    artist: player.local ? names(item.artists) : [names(item.artists), player.placeName].filter(Boolean).join(' · '),
    album: item.album ?? '',
    artwork: player.cover ? [{ src: coverURL(player.cover, 600), sizes: '600x600' }] : [],
  })
  const handlers: [MediaSessionAction, MediaSessionActionHandler][] = [
    ['play', () => player.playing || player.toggle()],
    ['pause', () => player.pause()],
    ['nexttrack', () => player.next()],
    ['previoustrack', () => player.previous()],
    ['seekbackward', ({ seekOffset }) => player.seek(player.time - (seekOffset ?? 10))],
    ['seekforward', ({ seekOffset }) => player.seek(player.time + (seekOffset ?? 10))],
    ['seekto', ({ seekTime }) => seekTime !== undefined && player.seek(seekTime)],
  ]
  for (const [action, handler] of handlers) {
    try {
      session.setActionHandler(action, handler)
    } catch {
      // This browser does not know the action.
    }
  }
}

/** Keeps the state and the place on the lock screen true. App's effect. */
export function tellLockScreen(): void {
  if (!('mediaSession' in navigator) || !player.item || (player.local && player.film)) return
  navigator.mediaSession.playbackState = player.playing ? 'playing' : 'paused'
  const { duration } = player
  if (!(duration > 0)) return
  const position = Math.max(0, Math.min(player.time, duration))
  navigator.mediaSession.setPositionState?.({ duration, position, playbackRate: player.speed })
}

let silence: HTMLAudioElement | undefined

/** Plays silence while something plays elsewhere, so that the lock screen shows it. App's effect. */
export function playSilence(): (() => void) | void {
  if (!settings.lockScreen || player.local || !player.playing) return
  silence ??= new Audio(URL.createObjectURL(emptyWave(10)))
  silence.loop = true
  void silence.play().catch(() => undefined) // not before a touch: the next press tries again
  return () => silence?.pause()
}

/** A WAVE file of so many seconds of nothing. */
function emptyWave(seconds: number): Blob {
  const rate = 8000
  const size = rate * seconds
  const view = new DataView(new ArrayBuffer(44 + size))
  const text = (at: number, chars: string) => [...chars].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)))
  text(0, 'RIFF')
  view.setUint32(4, 36 + size, true)
  text(8, 'WAVEfmt ')
  view.setUint32(16, 16, true) // bytes of the format
  view.setUint16(20, 1, true) // PCM
  view.setUint16(22, 1, true) // channels
  view.setUint32(24, rate, true)
  view.setUint32(28, rate, true) // bytes per second
  view.setUint16(32, 1, true) // bytes per frame
  view.setUint16(34, 8, true) // bits
  text(36, 'data')
  view.setUint32(40, size, true)
  new Uint8Array(view.buffer, 44).fill(128) // the middle of 8 bits
  return new Blob([view], { type: 'audio/wav' })
}
