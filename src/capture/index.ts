/** `estab/capture`: reading and writing pcap and pcapng, streaming, in Node and in browsers alike. */

export {
  type CaptureHandler,
  type CaptureInterface,
  type CaptureName,
  type CaptureProblem,
  CaptureRecord,
  type CaptureSecrets,
  type CaptureSection,
  LinkType,
  linkTypeName,
} from './formats.ts';
export { type PcapOptions, PcapWriter } from './pcap-writer.ts';
export { type InterfaceOptions, type PacketOptions, PcapngWriter, type SectionOptions } from './pcapng-writer.ts';
export { CaptureReader } from './reader.ts';
