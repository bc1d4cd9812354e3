# The one place for language level, warnings and hardening; every target links project_flags.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()
# Assertions are part of the product (docs/adr/0001): CMake's NDEBUG goes.
foreach(config RELEASE RELWITHDEBINFO MINSIZEREL)
  string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_${config} "${CMAKE_C_FLAGS_${config}}")
endforeach()

add_library(project_flags INTERFACE)
target_include_directories(project_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_features(project_flags INTERFACE c_std_11)
target_compile_definitions(project_flags INTERFACE _GNU_SOURCE STEPD_VERSION="${PROJECT_VERSION}")
target_compile_options(project_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes
  -Wmissing-prototypes -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2
  -fstack-protector-strong)
target_link_options(project_flags INTERFACE -Wl,-z,relro,-z,now)
if(STEPD_WERROR)
  target_compile_options(project_flags INTERFACE -Werror)
endif()
if(STEPD_FUZZ) # every room counts its branches, so that the fuzzer sees where it has been
  target_compile_options(project_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(STEPD_SANITIZE)
  target_compile_options(project_flags INTERFACE -fsanitize=address,undefined
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(project_flags INTERFACE -fsanitize=address,undefined)
else()
  target_compile_options(project_flags INTERFACE $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE>
                         $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
endif()
