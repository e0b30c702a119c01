// An ESME written by others (npm smpp). It binds to the simulator at the port given, submits to the
// numbers given, answers what comes, and says in one line of JSON what it has seen.
//
//   node esme.js PORT RECEIPTS NUMBER...
//
// It unbinds once RECEIPTS deliver_sm have come.

const smpp = require("smpp");

const [port, wanted, ...numbers] = process.argv.slice(2);
const seen = { bind: null, enquire_link: null, submits: {}, deliveries: [], unbind: null };
const session = smpp.connect({ url: `smpp://127.0.0.1:${port}` });
let responses = 0;

function fail(why) {
  console.error(why);
  process.exit(1);
}

function leaveWhenDone() {
  if (responses < numbers.length || seen.deliveries.length !== Number(wanted)) return;
  session.enquire_link({}, (answer) => {
    seen.enquire_link = answer.command_status;
    session.unbind({}, (farewell) => {
      seen.unbind = farewell.command_status;
      session.close();
    });
  });
}

session.on("connect", () => {
  session.bind_transceiver({ system_id: "smsc", password: "secret" }, (answer) => {
    seen.bind = { status: answer.command_status, system_id: answer.system_id, version: answer.sc_interface_version };
    for (const number of numbers) {
      const message = {
        source_addr: "Esito",
        source_addr_ton: 5,
        destination_addr: number,
        dest_addr_ton: 1,
        dest_addr_npi: 1,
        registered_delivery: 1,
        short_message: "Bonjour, c'est nous",
      };
      session.submit_sm(message, (response) => {
        seen.submits[number] = { status: response.command_status, message_id: response.message_id || "" };
        responses += 1;
        leaveWhenDone();
      });
    }
  });
});

session.on("deliver_sm", (pdu) => {
  session.send(pdu.response());
  seen.deliveries.push({
    from: pdu.source_addr,
    to: pdu.destination_addr,
    esm_class: pdu.esm_class,
    text: pdu.short_message.message.toString(),
    receipted_message_id: (pdu.receipted_message_id || "").toString(),
    message_state: pdu.message_state === undefined ? null : pdu.message_state,
  });
  leaveWhenDone();
});

session.on("close", () => {
  console.log(JSON.stringify(seen));
  process.exit(0);
});
session.on("error", (error) => fail(error.message));
session.on("unknown", (pdu) => fail(`cannot read ${JSON.stringify(pdu)}`));
setTimeout(() => fail(`gave up after ${JSON.stringify(seen)}`), 20000);
