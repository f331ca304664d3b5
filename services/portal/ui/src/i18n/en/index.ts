import { device } from './device'
import { library } from './library'
import { network } from './network'
import { page } from './page'
import { player } from './player'
import { reasons } from './reasons'
import { rooms } from './rooms'
import { sharing } from './sharing'

/** Both parts in one. They may have no key in common: of two messages one would hide the other. */
const and = <A extends object, B extends object & { [K in keyof A]?: never }>(a: A, b: B): A & B => ({ ...a, ...b })

/**
 * The English messages, which also say what keys there are: a part for each part of the page. Plain and short, no
 * exclamation marks; what happened first, what to do in the ".hint".
 */
export const en = and(page, and(library, and(player, and(device, and(network, and(reasons, and(rooms, sharing)))))))
