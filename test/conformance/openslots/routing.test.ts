// Where requests for the keys of an open slot are served, and what they are told where they are not.
import { fileScope } from "../../support/cleanup.ts";
import { bothEnds, OPEN } from "../harness/open-slots.ts";

const scene = bothEnds(fileScope());

scene(
  "keys that are here, gone, and partly gone",
  `
  a: set {b}1 x | set {b}2 y | rpush {b}l 1 2 | hset {b}h f v
  ${OPEN}
  a: get {b}1 | get {b}9 | set {b}9 x | set {b}1 z | mget {b}1 {b}2 | mget {b}1 {b}9 | mget {b}9 {b}8 | mget {b}9 {b}9
  a: mget {b}1 {b}1 | del {b}1 {b}9 | del {b}9 | exists {b}1 {b}9 | exists {b}1 {b}1 | touch {b}9 {b}9 | unlink {b}8 {b}9
  a: mset {b}1 a {b}1 b | mset {b}1 a {b}9 b | mset {b}9 a {b}9 b | msetnx {b}9 a {b}8 b | msetnx {b}1 a {b}2 b
  a: rename {b}1 {b}1 | rename {b}1 {b}9 | rename {b}9 {b}9 | renamenx {b}1 {b}2 | rename {b}1 {b}2 | set {b}1 back
  a: mget {b}1 {c}1 | mget {b}9 {c}1 | get {c}1 | mget {c}1 {c}2 | get {b}l | hget {b}h f | type {b}9 | ttl {b}9
  a: copy {b}1 {b}9 | copy {b}1 {b}2 | copy {b}1 {b}2 replace | object encoding {b}1 | object encoding {b}9 | object freq {b}9
  a: sort {b}l | sort {b}9 | sort {b}l store {b}h | sort {b}l store {b}9 | sort {b}9 store {b}8 | sort {b}l by nosort
  a: sort_ro {b}9 | lmove {b}l {b}9 left right | lmove {b}l {b}l left right | rpoplpush {b}9 {b}9 | smove {b}9 {b}8 x
  a: sunionstore {b}9 {b}8 | zunionstore {b}9 1 {b}8 | zunionstore {b}9 2 {b}8 | zunion 1 {b}9 | lmpop 1 {b}9 left
  a: lmpop 2 {b}l {b}9 left | sintercard 2 {b}9 {b}8 | sintercard 0 {b}9
  a: watch {b}1 | watch {b}9 | watch {b}1 {b}9 | unwatch | get | get {b}9 {b}8 | nosuch {b}9 | dump {b}9 | restore {b}9 0 x
  a: restore-asking {b}9 0 x | expire {b}9 10 | persist {b}9 | getdel {b}9 | getex {b}9 | append {b}9 x | incr {b}9
  a: cluster keyslot {b}9 | cluster countkeysinslot 3300 | dbsize | keys *2 | scan 0 match *2 | ping | echo {b}9 | time x
  a: memory usage {b}9 | memory usage {b}1 | debug digest-value {b}9 | debug digest-value {b}1 | debug object {b}9
  a: asking | get {b}9 | get {b}1 | asking | mget {b}1 {b}9 | readonly | get {b}9 | get {b}1 | readwrite
  b: get {b}1 | set {b}1 x | mget {b}1 {b}2 | mget {b}1 {c}1 | get {c}1 | watch {b}1 | del {b}1 | nosuch {b}1 | get
  b: readonly | get {b}1 | readwrite | dump {b}1 | restore {b}1 0 x | object encoding {b}1 | debug digest-value {b}1
  b: asking | get {b}1 | asking | set {b}5 five | get {b}5 | asking | get {b}5 | asking | mget {b}5 {b}6
  b: asking | mget {b}5 {b}5 | asking | mget {b}6 {b}6 | asking | mget {b}6 {b}7 | asking | mset {b}6 1 {b}7 2
  b: asking | mset {b}6 1 {b}6 2 | asking | mset {b}5 1 {b}6 2 | asking | del {b}5 {b}6 | asking | del {b}6 {b}7
  b: asking | del {b}7 | asking | mget {b}1 {c}1 | asking | get {c}1 | asking | copy {b}5 {b}7 | asking | rename {b}5 {b}7
  b: asking | sort {b}5 store {b}9 | asking | watch {b}9 | asking | watch {b}9 {b}8 | unwatch
  b: cluster countkeysinslot 3300 | dbsize
`,
);

scene(
  "ASKING holds for one request",
  `
  ${OPEN}
  b: asking | set {b}1 x | get {b}1 | asking | get {b}1 | asking | asking | get {b}1 | get {b}1 | asking x | get {b}1
  b: asking | asking x | get {b}1 | get {b}1 | asking | ping | get {b}1 | asking | nosuch | get {b}1 | asking | get | get {b}1
  b: asking | get {b}1 x | get {b}1 | asking | incr {b}1 | get {b}1 | asking | get {c}1 | get {b}1 | asking | mget {b}1 {c}1
  b: get {b}1 | asking | multi | get {b}1 | get {b}1 | exec | get {b}1 | asking | multi | get {b}1 | discard | get {b}1
  b: multi | asking | get {b}1 | exec | get {b}1 | multi | asking | ping | get {b}1 | exec | get {b}1
  b: asking | multi | nosuch | get {b}1 | exec | get {b}1 | asking | multi | get {b}1 | get {b}2 | exec
  b: asking | multi x | get {b}1 | multi | get {b}1 | multi | discard | asking | multi | multi | get {b}1 | exec
  b: asking | exec | get {b}1 | asking | discard | get {b}1 | asking | unwatch | get {b}1 | asking | watch {b}1 | get {b}1
  b: multi | get {b}1 | asking | get {b}1 | exec | get {b}1 | asking | restore-asking {b}1 0 x | get {b}1
  b: asking | select 0 | get {b}1 | asking | select 1 | get {b}1 | asking | reset | get {b}1
  b+ asking | get {b}1 | asking | get {b}1 | get {b}1 | asking | set {b}1 y | get {b}1 | asking | mget {b}1 {b}1
  b+ asking | multi | get {b}1 | incr {b}n | exec | asking | multi | get {b}1 | incr {b}n | exec | get {b}1
  b: multi | set {b}2 x | asking | set {b}2 x | asking | exec | get {b}2 | asking | get {b}2
  b: restore-asking {b}1 0 x | restore-asking {b}3 0 x | restore-asking {c}3 0 x | restore-asking {b}1 | restore {b}3 0 x
  b: cluster countkeysinslot 3300 | asking | client no-evict off | get {b}1 | asking | config get port | get {b}1
`,
);

scene(
  "EXEC over the keys of an open slot",
  `
  a: set {b}1 x | set {b}2 y
  ${OPEN}
  a: multi | get {b}1 | get {b}2 | exec | multi | get {b}1 | get {b}9 | exec | multi | get {b}9 | exec | exec
  a: multi | get {b}9 | get {b}1 | exec | multi | mget {b}1 {b}9 | exec | multi | mget {b}1 {b}2 | set {b}1 1 | exec
  a: multi | ping | exec | multi | get {c}1 | exec | discard | multi | get {b}1 | del {b}1 | exec | set {b}1 again
  a: multi | cluster countkeysinslot 3300 | get {b}1 | exec | multi | watch {b}1 | exec | discard | watch {b}1
  a: multi | get {b}1 | exec | watch {b}1 {b}2 | multi | exec | watch {b}1 | del {b}1 | multi | get {b}2 | exec
  a: multi | get {b}2 | get {b}1 | exec | watch {b}2 | multi | get {b}1 | exec | multi | get {b}2 | exec
  b: multi | get {b}1 | exec | asking | multi | set {b}1 x | exec | asking | multi | set {b}1 x | set {b}2 x | exec
  b: asking | multi | set {b}1 x | set {b}1 y | exec | asking | multi | get {b}1 | ping | get {b}9 | exec
  b: asking | multi | ping | exec | asking | multi | exec | asking | multi | get {c}1 | exec | asking | get {b}1
`,
);

scene(
  "a multi that was queued before the slot is opened, and before it is closed",
  `
  a: set {b}1 x | multi | get {b}1 | get {b}2
  a2: multi | get {b}2
  a3: multi | set {b}1 y
  ${OPEN}
  a: exec
  a2: exec
  a3: exec
  a4: multi | get {b}1
  b2: multi | ping
  b3: asking | multi | set {b}3 x
  a5: multi | set {b}1 x | get {b}1
  b4: asking
  a- del {b}1
  a4: exec
  b- cluster setslot 3300 node $B
  a- cluster setslot 3300 node $B
  a5: exec
  b2: exec
  b3: exec
  b4: get {b}3
  a: get {b}1
  b: get {b}1 | get {b}3
`,
);

scene(
  "states on one side only",
  `
  a: set {b}1 x
  a: cluster setslot 3300 migrating $B
  a: get {b}1 | get {b}2 | mget {b}1 {b}2
  b: get {b}1 | asking | get {b}1 | restore-asking {b}1 0 x
  a: cluster setslot 3300 stable
  b: cluster setslot 3300 importing $A
  a: get {b}1 | get {b}2 | mget {b}1 {b}2
  b: get {b}1 | asking | get {b}1 | asking | get {b}2
  b: asking | set {b}2 y | cluster setslot 3300 stable | get {b}2 | asking | get {b}2 | cluster countkeysinslot 3300
  a: cluster setslot 3300 migrating $B
  a: get {b}2
  b: asking | get {b}2
`,
);

scene(
  "keys with odd hash tags, and no key at all",
  `
  a: cluster keyslot {} | cluster keyslot '' | cluster keyslot {}b | cluster keyslot {b} | cluster keyslot a{b}c | cluster keyslot {b
  a: set a{b}c 1
  b: cluster setslot 0 importing $A
  a: cluster setslot 0 migrating $B
  ${OPEN}
  a: get '' | set '' x | get {b} | get a{b}c | get {b}{c} | mget '' ''
  b: get '' | asking | set '' x | asking | get '' | asking | get {b} | asking | get a{b}c | asking | mget '' ''
  a: sintercard 1 | sort | object encoding | zunion 0 {b}1
  a: cluster setslot 0 stable
  b: asking | del '' | cluster setslot 0 stable
`,
);

scene(
  "MIGRATE is never redirected while the slot is open",
  `
  a: mset {b}1 x {b}2 y | set {c}1 z
  a: migrate 127.0.0.1 $BP {b}1 0 5000 | migrate 127.0.0.1 $BP '' 0 5000 keys {b}1 {c}1 | migrate 127.0.0.1 $BP {a}1 0 5000
  b: migrate 127.0.0.1 $AP {b}1 0 5000 | migrate 127.0.0.1 $AP '' 0 5000 keys {b}1 {b}2
  ${OPEN}
  a: migrate 127.0.0.1 $BP {b}9 0 5000 | migrate 127.0.0.1 $BP '' 0 5000 keys {b}9 {b}1 | get {b}1 | migrate 127.0.0.1 $BP '' 1 5000 keys {b}2
  a: migrate 127.0.0.1 $BP '' 0 5000 keys {b}2 {c}1 | migrate 127.0.0.1 $BP {c}1 0 5000 | get {c}1 | get {b}2
  b: migrate 127.0.0.1 $AP {b}9 0 5000 | migrate 127.0.0.1 $AP '' 0 5000 keys {b}1 {b}9 | asking | get {b}1
  a: get {b}1 | migrate 127.0.0.1 $BP {b}1 0 5000 copy | migrate 127.0.0.1 $BP {b}1 0 5000 | migrate 127.0.0.1 $BP {b}1 0 5000 replace
  a: multi | migrate 127.0.0.1 $BP {b}9 0 5000 | exec | multi | get {b}2 | migrate 127.0.0.1 $BP {b}9 0 5000 | exec
`,
);
