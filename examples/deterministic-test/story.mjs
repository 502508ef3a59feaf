/** What the tests tell, whatever runs them. Each story gives what is to be checked. */
import { stage } from './stage.mjs';

/** A hundred questions one after the other over a wire that loses every fifth segment. */
export async function lossy(seed) {
  const { network, client } = stage({ seed, loss: 0.2 });
  const program = async () => {
    const answers = [];
    for (let i = 0; i < 100; i++) answers.push(await client.ask(`question ${i}`));
    return answers;
  };
  const answers = await network.run(program());
  return { answers, repeated: client.repeated, tookMs: network.now };
}

/** A question while the line is dead for the first twenty seconds. */
export async function outage() {
  const { network, client, server } = stage();
  network.change({ loss: 1 });
  void network.sleep(20_000).then(() => network.change({ loss: 0 }));
  const answer = await network.run(client.ask('anybody there?'));
  return { answer, repeated: client.repeated, asked: server.asked.length, tookMs: network.now };
}

/** A line that stays dead. */
export async function silence() {
  const { network, client } = stage({ loss: 1 });
  return network.run(client.ask('hello?')).then(
    (answer) => ({ answer }),
    ({ message }) => ({ message, tookMs: network.now }),
  );
}
