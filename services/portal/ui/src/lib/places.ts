import type { IconName } from '../components/icons'
import type { Renderer } from '../api/cast'
import { handheld } from './self'

/** The icon of a place; null is this page. */
export function iconOf(renderer: Renderer | null, local = false): IconName {
  if (local || !renderer) return handheld ? 'phone' : 'computer'
  if (renderer.kind === 'tv' || renderer.kind === 'dongle') return 'tv'
  if (renderer.kind === 'dlna') return renderer.films ? 'tv' : 'speaker'
  return /Android|iPhone|phone|Telefon/i.test(renderer.name) ? 'phone' : 'computer'
}
