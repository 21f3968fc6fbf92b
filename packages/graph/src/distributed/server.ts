import { GraphError } from "../graph-error.ts";
import { checked, tensorflow } from "../native/c-api.ts";
import type { Handle } from "../native/c-api.ts";
import { encode } from "../native/protos.ts";
import { configProto } from "../session/config.ts";
import { deviceOf } from "./cluster.ts";
import type { Member } from "./cluster.ts";
import { fence } from "./fence.ts";
import type { Reach } from "./fence.ts";

/** A running server. */
export interface Server {
  /** Where TensorFlow's sessions find it. */
  readonly target: string;
  readonly reach: Reach;
}

/** Starts TensorFlow's gRPC server for one member of a cluster. It lasts as long as the process. */
export function startServer(members: readonly Member[], self: Member): Server {
  const tf = tensorflow();
  const jobs = new Set(members.map(({ task }) => task.type));
  const proto = encode("ServerDef", {
    cluster: {
      job: [...jobs].map((name) => ({
        name,
        tasks: Object.fromEntries(
          members.flatMap(({ task, address }) => (task.type === name ? [[task.index, address]] : [])),
        ),
      })),
    },
    job_name: self.task.type,
    task_index: self.task.index,
    default_session_config: { ...configProto({}), ...clusterConfig(members, self) },
    protocol: "grpc",
  });
  try {
    const server = checked((status) => tf.TF_NewServer(proto, proto.length, status) as Handle, "a server");
    // It listens by now, and answers nothing before it is started.
    const reach = fence(self.address);
    checked((status) => tf.TF_ServerStart(server, status), "to start the server");
    return { target: tf.TF_ServerTarget(server) as string, reach };
  } catch (error) {
    throw new GraphError(
      `distribute: cannot listen on port ${self.address.slice(self.address.lastIndexOf(":") + 1)} for ${self.name} (${self.address}): another program uses it, or a second process has the task of ${self.name}.`,
      { cause: error },
    );
  }
}

/** What sessions of a member have in their configuration: the leader of collective ops, and that only the member's own devices are used. */
export function clusterConfig([leader]: readonly Member[], self: Member): Record<string, unknown> {
  return {
    device_filters: [`/job:${self.task.type}/task:${self.task.index}`],
    // A tensor goes in one piece: TensorFlow's default cuts it into pieces of 4 KiB, each copied by itself.
    experimental: { collective_group_leader: deviceOf(leader!), recv_buf_max_chunk: -1 },
  };
}
