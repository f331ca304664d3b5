import * as api from '../api/client'
import type { Item } from '../api/types'
import { player, type Track, trackOf } from '../state/player.svelte'
import { toast } from '../state/toasts.svelte'
import { wordsOf } from './words'

export const playable = (item: Item) => !item.problem && !item.away

/** Plays an album's songs, the ones that can be, from one of them on. */
export function playSongs(items: Item[], from?: Item, coverOf?: string): void {
  const songs = items.filter(playable)
  player.play(
    songs.map((song) => trackOf(song, coverOf)),
    Math.max(0, from ? songs.indexOf(from) : 0),
  )
}

/** Fetches an album and plays it. */
export async function playAlbum(id: string): Promise<void> {
  try {
    const album = await api.album(id)
    playSongs(album.items ?? [], undefined, album.coverOf)
  } catch (err) {
    toast(wordsOf(err).message)
  }
}

const batch = 100

/** Plays all of a list of songs from one of them on, fetching what follows as it is needed. */
export async function playFrom(query: api.Query, index: number): Promise<void> {
  let offset = index
  const next = async (): Promise<Track[]> => {
    const page = await api.items({ ...query, kind: 'music', offset, limit: batch })
    offset += page.rows.length
    const songs = page.rows.filter(playable).map((song) => trackOf(song))
    return songs.length || !page.rows.length ? songs : next()
  }
  try {
    const tracks = await next()
    if (tracks.length) player.play(tracks, 0, next)
  } catch (err) {
    toast(wordsOf(err).message)
  }
}
