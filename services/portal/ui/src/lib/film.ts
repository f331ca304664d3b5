import type Hls from 'hls.js'
import { ApiError, fileURL, hlsURL, whyNot } from '../api/client'
import type { Item } from '../api/types'
import { t } from '../i18n/index.svelte'

/** Attaches a film to a video element, by the first way that this browser and the server both know. */
export interface Source {
  /** Tries again from where it is, after something that was missing is back. */
  retry: () => void
  close: () => void
}

type Fail = (why: ApiError) => void

/**
 * Plays a film: HLS with hls.js where the browser has Media Source Extensions, HLS by the browser itself on Apple's,
 * and the file as it is where the server cannot package it but the browser plays it. Calls fail once nothing is left
 * to try, with why; retry may then be used.
 */
export async function attach(video: HTMLVideoElement, film: Item, fail: Fail): Promise<Source> {
  const { default: Hls } = await import('hls.js')
  if (Hls.isSupported()) return withHls(Hls, video, film, fail)
  return native(
    video,
    film,
    video.canPlayType('application/vnd.apple.mpegurl') ? hlsURL(film.id) : fileURL(film.id),
    fail,
  )
}

/** A small device may think for a while before it sends what has to be converted; a disk that is gone stays gone. */
const policy = {
  default: {
    maxTimeToFirstByteMs: 60_000,
    maxLoadTimeMs: 120_000,
    timeoutRetry: { maxNumRetry: 1, retryDelayMs: 0, maxRetryDelayMs: 0 },
    errorRetry: { maxNumRetry: 2, retryDelayMs: 500, maxRetryDelayMs: 2000 },
  },
}
const policies = { manifestLoadPolicy: policy, playlistLoadPolicy: policy, fragLoadPolicy: policy }

function withHls(Library: typeof Hls, video: HTMLVideoElement, film: Item, fail: Fail): Source {
  let instead: Source | undefined
  let hls = load(-1)
  let closed = false
  let recovered = 0 // when a decoding error was last recovered from, by performance.now()

  /** Loads the film from a position, in seconds; -1: from its beginning. */
  function load(startPosition: number): Hls {
    const next = new Library({ maxBufferLength: 60, backBufferLength: 60, startPosition, ...policies })
    next.on(Library.Events.ERROR, (_, data) => {
      if (!data.fatal) return
      if (data.type === Library.ErrorTypes.MEDIA_ERROR && performance.now() - recovered > 10_000) {
        recovered = performance.now()
        return next.recoverMediaError()
      }
      void giveUp(data.frag?.url ?? data.url ?? hlsURL(film.id))
    })
    next.loadSource(hlsURL(film.id))
    next.attachMedia(video)
    return next
  }

  async function giveUp(url: string): Promise<void> {
    const why = await whyNot(url)
    if (closed) return
    if (why?.code === 'away' || why?.code === 'unreachable' || !canPlay(video, film)) {
      return fail(why ?? new ApiError('undecodable', t('error.undecodable')))
    }
    const at = video.currentTime
    hls.destroy()
    instead = native(video, film, fileURL(film.id), fail, at)
  }

  return {
    retry: () => {
      if (instead) return instead.retry()
      const at = video.currentTime
      hls.destroy()
      hls = load(at)
      void video.play().catch(() => undefined) // not allowed before a touch: the button waits
    },
    close: () => {
      closed = true
      if (instead) instead.close()
      else hls.destroy()
    },
  }
}

function native(video: HTMLVideoElement, film: Item, url: string, fail: Fail, at = 0): Source {
  const load = (from: number) => {
    video.src = url
    if (from > 0) video.addEventListener('loadedmetadata', () => (video.currentTime = from), { once: true })
    void video.play().catch(() => undefined) // the error event says why
  }
  const onError = () => {
    void whyNot(url).then((why) => {
      if (url !== fileURL(film.id) && why?.code === 'unsupported' && canPlay(video, film)) {
        url = fileURL(film.id)
        return load(video.currentTime)
      }
      fail(why ?? new ApiError('undecodable', t('error.undecodable')))
    })
  }
  video.addEventListener('error', onError)
  load(at)
  return {
    retry: () => load(video.currentTime),
    close: () => {
      video.removeEventListener('error', onError)
      video.removeAttribute('src')
      video.load()
    },
  }
}

const types: Record<string, string> = {
  mp4: 'video/mp4',
  mov: 'video/mp4',
  matroska: 'video/x-matroska',
  webm: 'video/webm',
  ogg: 'video/ogg',
}

/** Whether the browser says that it plays the file as it is. */
function canPlay(video: HTMLVideoElement, film: Item): boolean {
  const type = types[film.container ?? '']
  const codecs = (film.streams ?? [])
    .filter((s) => s.kind !== 'subtitle')
    .map((s) => s.rfc6381)
    .filter(Boolean)
  return !!type && video.canPlayType(codecs.length ? `${type}; codecs="${codecs.join(', ')}"` : type) !== ''
}
