import { get, send } from './client'
import type { Notice } from './types'

/** The words of /api/v1/guests: what those may do who come by a protocol without passwords. */

export type Protocol = 'renderer' | 'server' | 'mpd'

export interface Choice {
  on: boolean
  /** The IDs of the libraries that are shared. One whose disk is away stays chosen. */
  libraries: string[]
}

export interface Sharing {
  /** What the device is called there. */
  name: string
  choices: Record<Protocol, Choice>
  /** What keeps a protocol that is on from working. */
  problems: Partial<Record<Protocol, Notice>>
}

const path = '/api/v1/guests'

export const sharing = (signal?: AbortSignal) => get<Sharing>(path, signal)
export const choose = (choices: Partial<Record<Protocol, Choice>>) => send<Sharing>('PUT', path, choices)
