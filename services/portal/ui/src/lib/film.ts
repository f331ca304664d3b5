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
  return native(video, film, video.canPlayType('application/vnd.apple.mpegurl') ? hlsURL(film.id) : fileURL(film.id), fail)
}

function withHls(Library: typeof Hls, video: HTMLVideoElement, film: Item, fail: Fail): Source {
  let instead: Source | undefined
  let recovered = 0 // when a decoding error was last recovered from, by performance.now()
  const hls = new Library({ maxBufferLength: 60, backBufferLength: 60 })
  hls.on(Library.Events.ERROR, (_, data) => {
    if (!data.fatal) return
    if (data.type === Library.ErrorTypes.MEDIA_ERROR && performance.now() - recovered > 10_000) {
      recovered = performance.now()
      return hls.recoverMediaError()
    }
    void whyNot(data.frag?.url ?? data.url ?? hlsURL(film.id)).then((why) => {
      if (why?.code !== 'away' && why?.code !== 'unreachable' && canPlay(video, film)) {
        const at = video.currentTime
        hls.destroy()
        instead = native(video, film, fileURL(film.id), fail, at)
        return
      }
      fail(why ?? new ApiError('undecodable', t('error.undecodable')))
    })
  })
  hls.loadSource(hlsURL(film.id))
  hls.attachMedia(video)
  return {
    retry: () => {
      if (instead) return instead.retry()
      const at = video.currentTime
      hls.loadSource(hlsURL(film.id))
      hls.once(Library.Events.MANIFEST_PARSED, () => hls.startLoad(at))
      void video.play().catch(() => undefined)
    },
    close: () => (instead ? instead.close() : hls.destroy()),
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

const types: Record<string, string> = { mp4: 'video/mp4', mov: 'video/mp4', matroska: 'video/x-matroska', webm: 'video/webm', ogg: 'video/ogg' }

/** Whether the browser says that it plays the file as it is. */
function canPlay(video: HTMLVideoElement, film: Item): boolean {
  const type = types[film.container ?? '']
  const codecs = (film.streams ?? []).filter((s) => s.kind !== 'subtitle').map((s) => s.rfc6381).filter(Boolean)
  return !!type && video.canPlayType(codecs.length ? `${type}; codecs="${codecs.join(', ')}"` : type) !== ''
}
