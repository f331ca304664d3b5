import type { Item } from '../api/types'

const ofAlbums = new Map<string, string>() // item with the picture, by the album's ID

/** Remembers which item's picture stands for an album, for its songs that have none. */
export function knowCover(album: string | undefined, coverOf: string | undefined): void {
  if (album && coverOf) ofAlbums.set(album, coverOf)
}

/** The item whose picture stands for this one; undefined: none is known. */
export const coverOf = (item: Item): string | undefined =>
  item.cover ? item.id : item.albumId ? ofAlbums.get(item.albumId) : undefined
