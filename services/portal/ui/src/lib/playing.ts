import * as api from '../api/client'
import type { Item } from '../api/types'
import { player } from '../state/player.svelte'
import type { Wanted } from '../state/wanted'
import { toast } from '../state/toasts.svelte'
import { knowCover } from './covers'
import { wordsOf } from './words'

export const playable = (item: Item) => !item.problem && !item.away

/** Some songs, the ones that can be played, from one of them on. */
export function songsOf(items: Item[], from?: Item): Wanted {
  const songs = items.filter(playable)
  const start = from ? Math.max(0, songs.indexOf(from)) : 0
  return { what: { items: songs.map(({ id }) => id) }, items: songs, start }
}

/** Some songs in any order. */
export function mixOf(items: Item[]): Wanted {
  const wanted = songsOf(items)
  return { ...wanted, start: Math.floor(Math.random() * wanted.items.length), shuffle: true }
}

/** Plays an album's songs from one of them on. */
export function playSongs(items: Item[], from?: Item): void {
  void player.play(songsOf(items, from))
}

/** Fetches an album for a thing to do with it. */
export async function withAlbum(id: string, run: (wanted: Wanted, title: string) => unknown): Promise<void> {
  try {
    const album = await api.album(id)
    knowCover(album.id, album.coverOf)
    await run(songsOf(album.items ?? []), album.title)
  } catch (err) {
    toast(wordsOf(err).message)
  }
}

export const playAlbum = (id: string) => withAlbum(id, (wanted) => player.play(wanted))

const batch = 100

/** Plays all of a list of songs from one of them on. What this page has to know of it is fetched as it is needed. */
export async function playFrom(query: api.Query, index: number, shuffle = false): Promise<void> {
  let offset = index
  const next = async (): Promise<Item[]> => {
    const page = await api.items({ ...query, kind: 'music', offset, limit: batch })
    offset += page.rows.length
    const songs = page.rows.filter(playable)
    return songs.length || !page.rows.length ? songs : next()
  }
  try {
    const items = await next()
    const search = { kind: 'music' as const, q: query.q || undefined }
    if (items.length) await player.play({ what: { search }, items, index, shuffle, more: next })
  } catch (err) {
    toast(wordsOf(err).message)
  }
}
