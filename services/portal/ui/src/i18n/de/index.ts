import type { Messages } from '../index.svelte'
import { device } from './device'
import { library } from './library'
import { network } from './network'
import { page } from './page'
import { player } from './player'
import { reasons } from './reasons'
import { rooms } from './rooms'
import { sharing } from './sharing'

/** Die deutschen Texte. */
export const de: Messages = { ...page, ...library, ...player, ...device, ...network, ...reasons, ...rooms, ...sharing }
