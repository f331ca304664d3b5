import type { Stream } from '../api/types'
import { languageName } from '../i18n/format'
import { t } from '../i18n/index.svelte'

const layouts: Record<number, string> = { 1: 'Mono', 2: 'Stereo', 6: '5.1', 8: '7.1' }

// What people call them; of the rest, the engine's own names.
const codecs: Record<string, string> = {
  h264: 'H.264',
  hevc: 'H.265',
  mpeg2video: 'MPEG-2',
  mpeg4: 'MPEG-4',
  vp8: 'VP8',
  vp9: 'VP9',
  av1: 'AV1',
  vc1: 'VC-1',
  wmv3: 'WMV',
  ac3: 'Dolby Digital',
  eac3: 'Dolby Digital Plus',
  truehd: 'Dolby TrueHD',
  opus: 'Opus',
  vorbis: 'Vorbis',
  subrip: 'SRT',
  ass: 'ASS',
  webvtt: 'WebVTT',
  mov_text: 'MP4',
  dvd_subtitle: 'DVD',
  hdmv_pgs_subtitle: 'Blu-ray',
}

export const codecName = ({ codec }: Stream): string => codecs[codec] ?? codec.toUpperCase()

export const layoutOf = ({ channels }: Stream): string =>
  channels ? (layouts[channels] ?? t('film.channels', { n: channels })) : ''

const languageOf = ({ language }: Stream): string => (language && language !== 'und' ? languageName(language) : '')

/** A stream in one line: title, language, what it is. */
export function streamInWords(stream: Stream, ...more: (string | undefined)[]): string {
  return [stream.title, languageOf(stream), codecName(stream), ...more].filter(Boolean).join(' · ')
}

/** A track to choose: its language or title first, else its number. */
export function trackName(stream: Stream, n: number): { text: string; note: string } {
  const [language, own] = [languageOf(stream), stream.title ?? '']
  const text = language || own || t('player.track', { n: n + 1 })
  return { text, note: [text === own ? '' : own, codecName(stream), layoutOf(stream)].filter(Boolean).join(' · ') }
}
