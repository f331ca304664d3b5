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
    await mpd.getByText('Port 6600 is taken: another program uses it.').waitFor()
    await mpd.getByText('End that program').waitFor()
    await mpd.getByText('Details').click()
    await mpd.getByText('listen tcp :6600: bind: address already in use').waitFor()
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

test('what keeps a way in from working is said in German', standIn, () =>
  visit(
    '/settings/sharing',
    async (page) => {
      const { choices, problems } = server.state.guests
      const was = [choices.renderer.on, problems.renderer, problems.server]
      const problem = (code, message) => ({ code, level: 'error', message, detail: 'x' })
      choices.renderer.on = choices.server.on = true
      problems.renderer = problem('guest-trouble', 'This does not work right now.')
      problems.server = problem('guest-of-tomorrow', 'What this page cannot translate.')
      const at = (name) => page.getByRole('region', { name }).getByRole('status')
      await at('Musik mit MPD-Apps').getByText('Port 6600 ist belegt: Ein anderes Programm benutzt ihn.').waitFor()
      await at('Musik mit MPD-Apps').getByText('Beende dieses Programm').waitFor()
      await at('Auf diesem Fernseher abspielen').getByText('Das funktioniert gerade nicht.').waitFor()
      await at('Von anderen Fernsehern aus stöbern').getByText('What this page cannot translate.').waitFor()
      ;[choices.renderer.on, problems.renderer, problems.server] = was
    },
    { language: 'de-DE' },
  ),
)
