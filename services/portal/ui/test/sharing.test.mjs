/** What the owner lets those do who come without a password. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { server, standIn, until, visit } from './harness.mjs'

const choices = () => server.state.guests.choices

test('what is shared is chosen, with each way in', standIn, () =>
  visit('/settings', async (page) => {
    server.state.status.library.roots.push({ id: 'red', name: 'Red Disk', path: '/media/red', away: true, items: 3 })
    await page.getByRole('link', { name: /^Sharing/ }).click()
    await page.getByText('appears there as “Living room”').waitFor()
    await page.getByText('None of these know a password').waitFor()

    const tv = page.getByRole('switch', { name: 'As a UPnP renderer (DLNA)' })
    assert.equal(await tv.isChecked(), false)
    await tv.check()
    await until(() => choices().renderer.on)

    const mpd = page.getByRole('region', { name: 'Music from MPD apps' })
    await mpd.getByText('another program uses this port').waitFor()
    await mpd.getByText('Nothing is shared yet').waitFor()
    await mpd.getByRole('checkbox', { name: /^Blue Disk/ }).check()
    await until(() => choices().mpd.libraries.join() === 'blue')
    await mpd.getByText('Nothing is shared yet').waitFor({ state: 'detached' })

    const other = page.getByRole('region', { name: 'Browse from other TVs' })
    await other.getByRole('checkbox', { name: /^Blue Disk/ }).uncheck()
    await until(() => choices().server.libraries.length === 0)
    await other.getByRole('switch').uncheck()
    await until(() => !choices().server.on)
    assert.equal(await other.getByRole('checkbox').count(), 0)
  }),
)

test('a choice that the device refuses is taken back', standIn, () =>
  visit(
    '/settings/sharing',
    async (page) => {
      const own = page.getByRole('switch', { name: 'As a UPnP renderer (DLNA)' })
      const was = await own.isChecked()
      server.state.refuse = true
      await own.click()
      await page.getByText('The memory card is full').waitFor()
      await until(async () => (await own.isChecked()) === was)
      server.state.refuse = false
    },
    { allow: [/507/] },
  ),
)
