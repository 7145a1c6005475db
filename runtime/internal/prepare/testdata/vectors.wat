;; Vectors in locals, on the stack during calls and in loops; the exit status is
;; made of their lanes.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "\01\02\03\04\05\06\07\08\09\0a\0b\0c\0d\0e\0f\10")
  (global $v (mut v128) (v128.const i32x4 1 2 3 4))
  (func $next (param v128) (result v128)
    (i32x4.add (local.get 0) (i8x16.shuffle 4 5 6 7 8 9 10 11 12 13 14 15 0 1 2 3 (local.get 0) (local.get 0))))
  (func (export "_start") (local $sum v128) (local $n i32)
    (local.set $n (i32.const 9))
    (loop $again
      (local.set $sum (i32x4.add (local.get $sum) (i32x4.mul (global.get $v) (call $next (global.get $v)))))
      (global.set $v (v128.load8x8_u offset=16 (local.get $n)))
      (global.set $v (v128.xor (global.get $v) (v128.load32_lane offset=16 align=1 2 (local.get $n) (global.get $v))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (call $exit (i32.and (i32.const 0xffffff)
      (i32.xor (i32x4.extract_lane 0 (local.get $sum)) (i32.xor (i32x4.extract_lane 1 (local.get $sum))
      (i32.xor (i32x4.extract_lane 2 (local.get $sum)) (i32x4.extract_lane 3 (local.get $sum))))))))
)
