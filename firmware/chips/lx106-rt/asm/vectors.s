# Exceptions. Each vector keeps a0, puts its kind there and jumps to the common part, which keeps all registers in
# a frame on a stack of its own, calls rt_exception(frame), restores and returns. An exception in the handler goes on on the
# same stack: on the chip every load of a byte from flash is one.
# Offsets from VECBASE: 0x10 debug, 0x20 NMI, 0x30 kernel, 0x50 user, 0x70 double.
    .section .note.GNU-stack,"",@progbits
    .section .vectors,"ax"
    # Bytes of a frame, and room for the stack to stay aligned.
    .set FRAME, 96
    .begin no-transform
    .macro VECTOR offset, kind
    .org \offset
    wsr.excsave1 a0
    movi a0, \kind
    j common
    .endm

    VECTOR 0x10, 1
    VECTOR 0x20, 2
    VECTOR 0x30, 3
    VECTOR 0x50, 4
    VECTOR 0x70, 5

    .org 0x80
    .align 4
stack_end:  .word rt_exception_stack
stack:      .word rt_exception_stack_top
handler:    .word rt_exception
masked:     .word 0x0f              # level 15, no exception: a fault in the handler comes by the kernel vector

common:
    wsr.excsave3 a1
    wsr.excsave2 a2
    mov a2, a1
    l32r a1, stack
    bgeu a2, a1, 1f
    l32r a1, stack_end
    bltu a2, a1, 1f
    mov a1, a2
    j 2f
1:  l32r a1, stack
2:  addi a1, a1, -FRAME
    s32i a0, a1, 0                  # the kind
    rsr.excsave2 a2
    s32i a2, a1, 12
    s32i a3, a1, 16
    s32i a4, a1, 20
    s32i a5, a1, 24
    s32i a6, a1, 28
    s32i a7, a1, 32
    s32i a8, a1, 36
    s32i a9, a1, 40
    s32i a10, a1, 44
    s32i a11, a1, 48
    s32i a12, a1, 52
    s32i a13, a1, 56
    s32i a14, a1, 60
    s32i a15, a1, 64
    rsr.excsave1 a2
    s32i a2, a1, 4                  # a0
    rsr.excsave3 a2
    s32i a2, a1, 8                  # a1
    rsr.epc1 a2
    s32i a2, a1, 68
    rsr.exccause a2
    s32i a2, a1, 72
    rsr.excvaddr a2
    s32i a2, a1, 76
    rsr.ps a2
    s32i a2, a1, 80
    rsr.depc a2
    s32i a2, a1, 84
    rsr.sar a2
    s32i a2, a1, 88
    mov a2, a1
    l32r a3, masked
    wsr.ps a3
    rsync
    l32r a0, handler
    callx0 a0

    # Back to what was interrupted, or behind a load that was done for it.
    l32i a2, a1, 80
    wsr.ps a2
    rsync
    l32i a2, a1, 88
    wsr.sar a2
    l32i a2, a1, 68
    wsr.epc1 a2
    l32i a0, a1, 4
    l32i a2, a1, 12
    l32i a3, a1, 16
    l32i a4, a1, 20
    l32i a5, a1, 24
    l32i a6, a1, 28
    l32i a7, a1, 32
    l32i a8, a1, 36
    l32i a9, a1, 40
    l32i a10, a1, 44
    l32i a11, a1, 48
    l32i a12, a1, 52
    l32i a13, a1, 56
    l32i a14, a1, 60
    l32i a15, a1, 64
    l32i a1, a1, 8
    rfe
    .end no-transform

    .section .bss.exception,"aw",@nobits
    .align 16
rt_exception_stack: .space 1536 + FRAME
rt_exception_stack_top: .space 16
