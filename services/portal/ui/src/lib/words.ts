import { ApiError } from '../api/client'
import type { Item, Notice } from '../api/types'
import { t, tOr } from '../i18n/index.svelte'

const yearAtEnd = / \((\d{4})\)$/

const fileName = (item: Item) => (item.path.split('/').at(-1) ?? '').replace(/\.[^.]+$/, '')

/** The item's title, else its file's name without the extension; of a film without the year behind it. */
export function titleOf(item: Item): string {
  const name = item.title || fileName(item)
  return (item.kind === 'film' ? name.replace(yearAtEnd, '') : name) || item.path
}

/** The item's year, else the one behind a film's title or file name; empty where none has one. */
export function yearOf(item: Item): string {
  if (item.year || item.kind !== 'film') return item.year ? String(item.year) : ''
  return (yearAtEnd.exec(item.title ?? '') ?? yearAtEnd.exec(fileName(item)))?.[1] ?? ''
}

/** An error as a person reads it: what happened, what to do, and the details one tap below. */
export interface Words {
  message: string
  hint: string
  detail: string
}

/** The words for an error: translated where its code is known, with the server's sentence as the detail. */
export function wordsOf(err: unknown): Words {
  if (!(err instanceof ApiError)) return { message: t('error.unknown'), hint: '', detail: String(err) }
  const message = tOr(`error.${err.code}`, err.message)
  return {
    message,
    hint: err.hint || tOr(`error.${err.code}.hint`, ''),
    detail: err.message === message ? '' : err.message,
  }
}

/** The words for a notice: translated where its code is known. */
export function wordsOfNotice({ code, subject = '', message, hint = '', detail = '' }: Notice): Words {
  const values = { subject: tOr(`subject.${subject}`, subject) }
  return { message: tOr(`notice.${code}`, message, values), hint: tOr(`notice.${code}.hint`, hint, values), detail }
}

/** True for what the stream sends as text; pictures of text (DVD, Blu-ray) are not. */
export const isTextSubtitle = (codec: string) => !/^(dvd_|dvb_|hdmv_|xsub|pgs|vobsub)/.test(codec)
