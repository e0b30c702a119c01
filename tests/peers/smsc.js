// An SMSC written by others (npm smpp): accepts a bind, answers each submit_sm, then sends its receipt.
// Prints one JSON line when it listens and one for every submit_sm.
const smpp = require("smpp");
let number = 4711000;
const server = smpp.createServer((session) => {
  session.on("error", () => {});
  session.on("bind_transceiver", (pdu) => {
    const known = pdu.system_id === "smsc" && pdu.password === "secret";
    session.send(pdu.response(known ? {} : { command_status: smpp.ESME_RINVPASWD }));
  });
  session.on("enquire_link", (pdu) => session.send(pdu.response()));
  session.on("unbind", (pdu) => { session.send(pdu.response()); session.close(); });
  session.on("submit_sm", (pdu) => {
    const id = String(number++);
    console.log(JSON.stringify({
      to: pdu.destination_addr, from: pdu.source_addr, registered_delivery: pdu.registered_delivery,
      data_coding: pdu.data_coding, validity_period: String(pdu.validity_period), text: pdu.short_message.message,
    }));
    session.send(pdu.response({ message_id: id }));
    setTimeout(() => session.deliver_sm({
      source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, esm_class: 4,
      short_message: `id:${id} sub:001 dlvrd:001 submit date:2611230500 done date:2611230501 stat:DELIVRD err:000 text:ciao`,
    }, (answer) => console.log(JSON.stringify({ receipt_answered: answer.command_status }))), 50);
  });
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
