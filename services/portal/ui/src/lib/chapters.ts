import type { Chapter } from '../api/cast'
import { t } from '../i18n/index.svelte'

/** The chapter that a time, in seconds, is in. */
export const chapterAt = (chapters: Chapter[], time: number): Chapter | undefined =>
  chapters.findLast(({ start }) => start <= time + 0.001)

/** A chapter's title, else its number. */
export const nameOfChapter = (chapters: Chapter[], chapter: Chapter): string =>
  chapter.title || t('player.chapter', { n: chapters.indexOf(chapter) + 1 })
