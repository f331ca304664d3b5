import type { Wanted } from './wanted'

/** What can be done with a song, an album or a film. */
export interface Subject {
  title: string
  by?: string
  coverOf?: string
  /** The page that says more of it. */
  href?: string
  /** What would be played: fetched where only its name is known. */
  wanted: () => Wanted | Promise<Wanted>
}

/** The sheet that asks what to do with something. */
class Menu {
  subject = $state.raw<Subject | null>(null)
}

export const menu = new Menu()
